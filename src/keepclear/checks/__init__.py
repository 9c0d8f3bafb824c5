# SPDX-License-Identifier: Apache-2.0
"""`keepclear.check`: files and rules in, findings out."""
