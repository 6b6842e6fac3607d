-- Declare dead whose process is gone, whatever their leases are. Who is not known is left out.
-- ARGV: the instances.

for _, gone in ipairs(ARGV) do
  if call('HGET', PREFIX .. 'beats', gone) then
    bury(gone, now())
  end
end
