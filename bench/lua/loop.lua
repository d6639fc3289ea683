-- A loop of a million turns over numbers: bench/tg/loop.tg.
dofile("bench/lua/measure.lua")

local function turns()
  local s = 0.0
  for i = 1, 1000000 do s = s + i * 0.5 - s * 1e-9 end
  return s
end

report("s", turns())
measure(turns)
