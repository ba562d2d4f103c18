"""Networks as scikit-learn estimators, for its pipelines, searches and cross-validation.

    from framework.estimators import NeuralNetworkClassifier

    network = NeuralNetworkClassifier((64, 32), activation=["relu", "tanh"], dropout=0.2)
    search = GridSearchCV(make_pipeline(StandardScaler(), network), {...}).fit(X, y)

An estimator stores its arguments unchanged; ``fit`` builds a ``Model`` from them and keeps it in
``model_``. The extra ``[sklearn]`` installs scikit-learn, which is required.

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
