-- Takes from every bucket, or from none.
-- KEYS: one bucket each, kept as units used and microseconds, eight bytes each.
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
local answer, is_ahead, taken = { 1, now }, {}, true
for i = 1, #KEYS do
    local kept = redis.call('GET', KEYS[i])
    local units = 0
    if kept then
        local at
        units, at = struct.unpack('>dd', kept)
        is_ahead[i] = at > now
        if at < now then
            units = math.max(units - (now - at) * ARGV[3 * i + 2], 0)
        end
    end
    answer[i + 2] = units
    taken = taken and ARGV[3 * i] + units <= ARGV[3 * i + 1] + 0
end
if not taken then
    answer[1] = 0
end
for i = 1, #KEYS do
    local units, wrote = answer[i + 2], is_ahead[i]
    if taken and ARGV[3 * i] ~= '0' then
        units = units + ARGV[3 * i]
        answer[i + 2] = units
        wrote = true
    end
    if wrote then
        local keep = math.ceil(units / ARGV[3 * i + 2] / 1000) + ARGV[2]
        redis.call('SET', KEYS[i], struct.pack('>dd', units, now), 'PX', keep)
    end
end
return answer
