-- Lends a name to an owner.
-- KEYS: the lock, a hash of token, owner and end. ARGV: the time in
-- microseconds or '' for the server's, owner, microseconds to lend it,
-- milliseconds to remember the token afterwards.
-- Answers token and end, or nothing while somebody else has it.
-- A token is at least the time, so that it grows even when all is forgotten.
local now
if ARGV[1] == '' then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
else
    now = tonumber(ARGV[1])
end
local held = redis.call('HMGET', KEYS[1], 'token', 'owner', 'until')
if held[3] and tonumber(held[3]) > now and held[2] ~= ARGV[2] then
    return {}
end
local token = math.max(tonumber(held[1] or '0') + 1, now)
local ends = now + tonumber(ARGV[3])
redis.call('HSET', KEYS[1], 'token', string.format('%.0f', token), 'owner', ARGV[2], 'until', string.format('%.0f', ends))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil(ARGV[3] / 1000) + ARGV[4]))
return { token, ends }
