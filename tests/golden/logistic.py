# SPDX-License-Identifier: Apache-2.0
# scikit-learn's cross-validated logistic regression on formula data, for tests/ood/scores/test_logistic.c.
#     python3 logistic.py    prints the coefficients
import numpy as np
from sklearn.linear_model import LogisticRegressionCV

N, K = 60, 3
i, j = np.meshgrid(np.arange(N), np.arange(K), indexing="ij")
labels = (np.arange(N) >= N // 2).astype(int)
x = np.sin(0.7 * i + 1.3 * j + 0.11 * i * j) * (3, 2, 0.06) + labels[:, None] * (0.3, -0.2, 0.09)
model = LogisticRegressionCV(Cs=10, cv=5, tol=1e-10, max_iter=10000).fit(x, labels)
print("C", model.C_[0])
print("beta", [float(b).hex() for b in model.coef_[0]], float(model.intercept_[0]).hex())
print(model.coef_[0], model.intercept_[0])
