# SPDX-License-Identifier: Apache-2.0
"""An exchange that others reach: one writer on its own thread, HTTP before it."""
