-- Fault: the items that a session had taken do not go back when it ends.
ipcd.types.queue.abandon = function() end
