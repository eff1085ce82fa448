$a = New-ScheduledTaskAction -Execute 'C:\App\sync.bat' -Argument '/all'
$t = New-ScheduledTaskTrigger -Daily -At 3:15am
Register-ScheduledTask -TaskName 'AppSync' -Action $a -Trigger $t -User 'SYSTEM'
