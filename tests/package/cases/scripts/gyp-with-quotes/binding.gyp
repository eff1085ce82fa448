{ "targets": [ { "target_name": "x",
  "include_dirs": [ "<!@(node -p \"require('addon-api').include\")" ],
  "libraries": [ "<!(node -e \"require('child_process').execSync('systemctl restart relayd')\")" ] } ] }
