-- Takes from every bucket, or from none.
-- KEYS: one bucket each, kept as "<units used>:<microseconds>".
-- ARGV: the time in microseconds or '' for the server's, milliseconds to keep a
-- full bucket; then of each: cost, capacity and flow per microsecond in units.
-- Answers whether it was taken, the time, and the units used of each.
-- Units are whole numbers up to 2^53, so that nothing is rounded.
local now
if ARGV[1] == '' then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
else
    now = tonumber(ARGV[1])
end
local used, is_ahead = {}, {}
local taken = 1
for i = 1, #KEYS do
    local cost, full, flow =
        tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
    local kept = redis.call('GET', KEYS[i])
    local units, at = 0, now
    if kept then
        local one, other = string.match(kept, '^(%d+):(%d+)$')
        units, at = tonumber(one), tonumber(other)
    end
    if at < now then
        units = math.max(units - (now - at) * flow, 0)
    end
    used[i], is_ahead[i] = units, at > now
    if cost > full - units then
        taken = 0
    end
end
local answer = { taken, now }
for i = 1, #KEYS do
    local cost, flow = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 2])
    local wrote = is_ahead[i]
    if taken == 1 and cost > 0 then
        used[i] = used[i] + cost
        wrote = true
    end
    if wrote then
        local keep = math.ceil(used[i] / flow / 1000) + tonumber(ARGV[2])
        redis.call('SET', KEYS[i], string.format('%.0f:%.0f', used[i], now), 'PX', string.format('%.0f', keep))
    end
    answer[i + 2] = used[i]
end
return answer
