param([string] $Service = 'nothing')
Stop-Service -Name $Service -Force
