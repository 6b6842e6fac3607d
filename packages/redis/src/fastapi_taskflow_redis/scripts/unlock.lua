-- Let go of the lock of a migration, unless it has become another's.
-- ARGV: who had it.

local lock = PREFIX .. 'migrating'
if call('GET', lock) == ARGV[1] then
  call('DEL', lock)
end
return 1
