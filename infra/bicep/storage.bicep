// The storage account of both apps: what the Functions host keeps, the packages that run, and the queues of jobs. Shared keys are off.
param location string

@description('What uniqueString gives; names of storage accounts have 3 to 24 characters.')
@minLength(13)
@maxLength(13)
param suffix string

param apiPrincipalId string
param webhooksPrincipalId string
param isPublic bool

// What each app may do. The Functions host needs blobs of its own (locks, keys); Durable Functions needs queues and tables as well.
var blobOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' // Storage Blob Data Owner
var queueContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue Data Contributor
var queueSender = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a' // Storage Queue Data Message Sender
var tableContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor

// Those of src/Core/Jobs. What fails five times goes to the one with -poison, which forgets it after 7 days, and on to the one with -given-up, which keeps it.
var queueNames = ['wide-changes', 'redeliveries', 'webhook-tests', 'reindexes', 'purges']

resource account 'Microsoft.Storage/storageAccounts@2026-09-01' = {
  name: 'st${suffix}'
  location: location
  kind: 'StorageV2'
  sku: { name: 'Standard_ZRS' }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'
    networkAcls: { defaultAction: isPublic ? 'Allow' : 'Deny', bypass: 'AzureServices' }
  }

  resource blobs 'blobServices' = {
    name: 'default'

    resource api 'containers' = { name: 'deploy-api' }
    resource webhooks 'containers' = { name: 'deploy-webhooks' }
  }

  resource queues 'queueServices' = {
    name: 'default'

    resource jobs 'queues' = [for name in queueNames: { name: name }]
    resource poison 'queues' = [for name in queueNames: { name: '${name}-poison' }]
    resource givenUp 'queues' = [for name in queueNames: { name: '${name}-given-up' }]
  }
}

resource apiOwnsBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, apiPrincipalId, blobOwner)
  properties: {
    principalId: apiPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobOwner)
  }
}

// The API sends jobs and can't read them.
resource apiSendsJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, apiPrincipalId, queueSender)
  properties: {
    principalId: apiPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueSender)
  }
}

resource webhooksWorks 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [blobOwner, queueContributor, tableContributor]: {
    scope: account
    name: guid(account.id, webhooksPrincipalId, role)
    properties: {
      principalId: webhooksPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

output accountId string = account.id
output accountName string = account.name
output queueEndpoint string = account.properties.primaryEndpoints.queue
output apiContainer string = '${account.properties.primaryEndpoints.blob}${account::blobs::api.name}'
output webhooksContainer string = '${account.properties.primaryEndpoints.blob}${account::blobs::webhooks.name}'
