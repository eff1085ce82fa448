$ServiceName = 'AppSvc'
function Stop-It($n) { Stop-Service -Name $n -Force }
