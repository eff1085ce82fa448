port ENV.fetch("RELAY_PORT", 3000)
key = ENV.fetch("RELAY_MASTER")
x = ENV["RELAY_X"]
