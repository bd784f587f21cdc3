-- Fault: a batch that comes again after a lost connection is taken for a new one, and run again.
local whole, count = ipcd.main, 0
function ipcd.main(keys, argv)
    local seq, ack, wait_until, now, behind = struct.unpack(">I8I8I8I8", argv[1])
    count = count + 1
    if seq ~= 0 then
        argv[1] = struct.pack(">I8I8I8I8", seq * 1000 + count, ack, wait_until, now) .. argv[1]:sub(behind)
    end
    return whole(keys, argv)
end
