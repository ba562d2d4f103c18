"""Looking into a network: are its gradients right, is it healthy, how is it made?

| file | question |
|---|---|
| ``gradient_check.py`` | is a backward pass right? It compares it with differences of forward |
| ``gradient_subjects.py`` | operations, losses and models as functions that can be varied |
| ``gradient_report.py`` | the result, as it is printed |
| ``diagnosis.py`` | do gradients vanish, are units dead, are inputs badly scaled? |
| ``summary.py`` | a table of the operations, their output shapes and parameters |
"""
