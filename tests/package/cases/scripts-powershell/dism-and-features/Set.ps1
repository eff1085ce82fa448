Enable-WindowsOptionalFeature -Online -FeatureName NetFx3, IIS-WebServer -All -NoRestart
dism.exe /online /enable-feature /featurename:MSMQ-Server /all /quiet
