"""Pictures: molecules with atom weights, curves, and the report page.

Takes plain arrays (`run_view.RunView`), gives figures and a page. Must not know
training, storage or HTTP.
"""
