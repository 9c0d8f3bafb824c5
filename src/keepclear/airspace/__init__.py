# SPDX-License-Identifier: Apache-2.0
"""Where and when: positions, altitudes, volumes, trajectories, borders. Values, no rules."""
