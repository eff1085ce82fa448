' https://old.vendor.example
Set sh = CreateObject("WScript.Shell")
sh.Run "net stop AppSvc", 0, True
WScript.Echo "see https://help.vendor.example"
