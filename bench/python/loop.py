# A scalar loop of 20 million turns.
s = 0.0
for i in range(1, 20000001):
    s = s + i * 0.5 - s * 1e-9
print(f"{s:.4f}")
