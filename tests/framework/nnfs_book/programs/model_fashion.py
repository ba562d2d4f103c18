"""Chapter 19: Fashion-MNIST in batches.

The arguments are the number of epochs and the file to save the model in.
"""

import sys

import nnfs
import numpy as np

from datasets import fashion_mnist
from framework.nnfs_book import *

nnfs.init()

(X, y), (X_test, y_test) = fashion_mnist()
keys = np.array(range(X.shape[0]))
np.random.shuffle(keys)
X, y = X[keys], y[keys]
X = (X.reshape(X.shape[0], -1).astype(np.float32) - 127.5) / 127.5
X_test = (X_test.reshape(X_test.shape[0], -1).astype(np.float32) - 127.5) / 127.5

model = Model()
model.add(Layer_Dense(X.shape[1], 128))
model.add(Activation_ReLU())
model.add(Layer_Dense(128, 128))
model.add(Activation_ReLU())
model.add(Layer_Dense(128, 10))
model.add(Activation_Softmax())
model.set(
    loss=Loss_CategoricalCrossentropy(),
    optimizer=Optimizer_Adam(decay=1e-3),
    accuracy=Accuracy_Categorical(),
)
model.finalize()
model.train(
    X, y, validation_data=(X_test, y_test), epochs=int(sys.argv[1]), batch_size=128, print_every=100
)

model.save(sys.argv[2])
model = Model.load(sys.argv[2])
model.evaluate(X_test, y_test)
confidences = model.predict(X_test[:5])
print(model.output_layer_activation.predictions(confidences))
