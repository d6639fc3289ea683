% A loop over numbers, of a million turns: bench/tg/loop.tg.
function s = turns(n)
  s = 0;
  for i = 1:n
    s = s + i * 0.5 - s * 1e-9;
  end
end

arguments = argv();
s = turns(1000000);
printf("check s %.10e %.10e\n", abs(s), s * sin(mod(1 + 0.37 * 99, 10007)));
if strcmp(arguments{1}, "time")
  finish = time() + str2double(arguments{2});
  do
    start = time();
    turns(1000000);
    printf("time %.9f\n", time() - start);
  until time() >= finish
end
