# SPDX-License-Identifier: Apache-2.0
"""The desk of a post in a terminal, `keepclear line watch`: for who has no browser.

It alone needs `textual`, which the extra `desk` brings.
"""
