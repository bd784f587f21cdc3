-- Fault: a batch is run though the lease of its host is over.
local whole = ipcd.main
function ipcd.main(keys, argv)
    local seq, ack, _, now, behind = struct.unpack(">I8I8I8I8", argv[1])
    argv[1] = struct.pack(">I8I8I8I8", seq, ack, 0, now) .. argv[1]:sub(behind)
    return whole(keys, argv)
end
