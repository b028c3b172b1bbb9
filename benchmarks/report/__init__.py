"""Reports of a result: one page without outside resources, and what other tools read.

::

    results       rows of a result by method, attack and kind; shares with their intervals
    markup        nodes of HTML and SVG
    markdown      tables in Markdown
    chart, radar  the two kinds of drawings
    head          what was measured, what failed, what was not measured
    robustness    tables by family, curves, radar, heat map
    versus        one method against each other one, picture by picture
    cost          the attacks: units, implementation, damage, and Q@P
    nulls         false positives, calibration, forgery
    quality       quality, time and memory, robustness against quality
    gallery       worst and borderline pictures, marked again
    page          the page
    kinds         what each kind of picture gave
    summary       Markdown
    exports       CSV, evidence for a registry
    write         all files into a folder
"""
