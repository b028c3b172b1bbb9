"""Speed suites: medians beside a named baseline in the same run; never timed tests."""
