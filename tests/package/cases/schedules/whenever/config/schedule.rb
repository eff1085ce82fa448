set :output, "/var/log/x.log"
every 1.day, at: "4:30 am" do
  rake "db:clean"
end
every "0 2 * * 6" do
  runner "Report.send"
end
every :hour do
  command "/opt/x"
end
