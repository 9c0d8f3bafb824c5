# SPDX-License-Identifier: Apache-2.0
"""What is intended: operations, and the conflicts between them."""
