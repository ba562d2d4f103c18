"""Networks as scikit-learn estimators, for its pipelines, searches and cross-validation.

    from framework.estimators import NeuralNetworkClassifier

    network = NeuralNetworkClassifier((64, 32), activation=["relu", "tanh"], dropout=0.2)
    search = GridSearchCV(make_pipeline(StandardScaler(), network), {...}).fit(X, y)

An estimator keeps its arguments as they are and builds a ``Model`` of them in ``fit``, which is
then in ``model_``. It needs scikit-learn, which the extra ``[sklearn]`` installs.

| module | contents |
|---|---|
| ``base`` | ``fit`` and ``partial_fit``, early stopping, predictions |
| ``classifier``, ``regressor`` | the two estimators: targets, loss and last layer |
| ``network``, ``names`` | the network and its optimizer, made from the arguments |
| ``validation`` | scores on validation samples |
"""

try:
    from framework.estimators.classifier import NeuralNetworkClassifier
    from framework.estimators.regressor import NeuralNetworkRegressor
except ImportError as error:
    raise ImportError(
        "framework.estimators needs scikit-learn 1.7 or newer: install the extra [sklearn], "
        'pip install "dinputs[sklearn]"'
    ) from error

__all__ = ["NeuralNetworkClassifier", "NeuralNetworkRegressor"]
