-- Fault: now and then one that waits is taken for one that has gone.
local whole, count = ask, 0
ask = function(obj, channel, member)
    count = count + 1
    if count % 20 == 0 then
        leave(wait_of(member, obj), obj, channel)
        return true
    end
    return whole(obj, channel, member)
end
