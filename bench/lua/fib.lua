-- Fibonacci's numbers by recursion: bench/tg/fib.tg.
dofile("bench/lua/measure.lua")

local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

report("fib", fib(25))
measure(function() return fib(25) end)
