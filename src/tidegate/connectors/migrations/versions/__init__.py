"""The revisions. Each is left as it is once a store was brought up by it; what comes next is a file of its own."""
