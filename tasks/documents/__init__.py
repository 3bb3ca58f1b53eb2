"""The stages of the documents index: load, plan, import by slice, check, report."""
