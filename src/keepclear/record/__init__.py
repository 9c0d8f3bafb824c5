# SPDX-License-Identifier: Apache-2.0
"""What happened, and what can be proven of it. Knows no aircraft: it hashes and signs bytes."""
