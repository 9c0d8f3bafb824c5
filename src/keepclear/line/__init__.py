# SPDX-License-Identifier: Apache-2.0
"""What is said: messages that are acted on. A part of rules, without I/O."""
