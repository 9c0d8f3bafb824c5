# SPDX-License-Identifier: Apache-2.0
"""A report in the form somebody reads: terminal, JSON, GeoJSON, KML, HTML, notebook.

What a finding is called in words stands in `texts`, once for all forms.
"""
