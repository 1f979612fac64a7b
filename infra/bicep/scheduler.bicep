// Durable Task Scheduler: durable state in a service made for it, at most 500 actions a second, paid by action.
param location string
param suffix string

@description('The app whose orchestrations run on it.')
param workerPrincipalId string

var dataContributor = '0ad04412-c4d5-4796-b79c-f76d14c8d402' // Durable Task Data Contributor

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' = {
  name: 'dts-${suffix}'
  location: location
  properties: {
    sku: { name: 'Consumption' }
    ipAllowlist: ['0.0.0.0/0'] // an empty list lets nobody in; what counts is the role below
  }

  resource hub 'taskHubs' = {
    name: 'nodestash'
  }
}

resource worksOnIt 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: scheduler
  name: guid(scheduler.id, workerPrincipalId, dataContributor)
  properties: {
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', dataContributor)
  }
}

output endpoint string = scheduler.properties.endpoint
output hubName string = scheduler::hub.name
