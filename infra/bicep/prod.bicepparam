// For production; docs/deploy.md tells what it costs.
using 'main.bicep'

param cosmosCapacity = 'autoscale'
param cosmosMaxThroughput = 4000
param maximumInstances = 200
param alwaysReadyInstances = 2
param durableBackend = 'scheduler'
param privateEndpoints = true
param fixedWebhookAddress = true
param logRetentionDays = 90
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', '')
