"""Looking into a network: are its gradients right, is it healthy, what does it compute?

| file | question |
|---|---|
| ``gradient_check.py`` | is a backward pass right? ``check_gradients`` puts the answer together |
| ``gradient_subjects.py`` | operations, losses and models as functions that can be varied |
| ``gradient_differences.py`` | what are the gradients by differences, and how exact are they? |
| ``gradient_contract.py`` | is a second batch right too, and the first one again? |
| ``gradient_watch.py`` | does a call write into arrays of others? |
| ``gradient_unlisted.py`` | is there a parameter that nothing trains? |
| ``gradient_hints.py`` | which mistake would make such wrong gradients? |
| ``gradient_report.py`` | the result, as it is printed |
| ``diagnosis.py`` | do gradients vanish, are units dead, are inputs badly scaled? |
| ``operation_states.py`` | how large are signal and gradient at each operation? |
| ``summary.py`` | a table of the operations, their output shapes and parameters |
| ``diagram.py`` | which neurons and which weights does it have? ``diagram_svg.py`` draws them |
| ``trace.py`` | which numbers does one training step compute, and from which formulas? |
| ``trace_report.py`` | the result, with the parts of it; ``trace_text.py`` lays it out |
| ``recording.py`` | what was each operation given, and what did it give? |
| ``formulas.py`` | which formulas does a docstring have? |
| ``expressions.py`` | how is a formula read? |
| ``arithmetic.py`` | what is it worth? |
| ``worked.py`` | how does it read with the numbers of one element? |
"""
