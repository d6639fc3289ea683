-- What the Lua programs of this folder share: report and measure, as in bench/tg/bench.tg.
function report(name, x)
  print(string.format("check %s %.10e %.10e", name, math.abs(x), x * math.sin(math.fmod(1 + 0.37 * 99, 10007))))
end

function measure(step)
  if arg[1] ~= "time" then return end
  local seconds, turns = tonumber(arg[2]), tonumber(arg[3])
  step()
  local finish = os.clock() + seconds
  while os.clock() < finish do
    local start = os.clock()
    for _ = 1, turns do step() end
    print(string.format("time %.9f", (os.clock() - start) / turns))
  end
end
