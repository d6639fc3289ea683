-- A scalar loop of 20 million turns.
local s = 0
for i = 1, 20000000 do s = s + i * 0.5 - s * 1e-9 end
print(string.format("%.4f", s))
