// To try it out: Cosmos DB is paid by request, and everything has a public address.
using 'main.bicep'

param cosmosCapacity = 'serverless'
param maximumInstances = 40
param durableBackend = 'storage'
param privateEndpoints = false
param logRetentionDays = 30
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', '')
