-- Fault: of those who wait, the last one to come is asked first.
ask_in_order = function(obj, channel)
    local served = false
    while not obj.is_deleted do
        local last = redis.call("ZREVRANGE", obj:key("W" .. channel), 0, 0)[1]
        if not last or not ask(obj, channel, last) then
            break
        end
        served = true
    end
    return served
end
