# SPDX-License-Identifier: Apache-2.0
"""What was agreed: separation rules as values, their text forms, what breaking them means."""
