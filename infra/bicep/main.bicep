// Everything a deployment of NodeStash consists of, in one resource group. Run infra/secrets.sh first; docs/deploy.md has the commands in order.
targetScope = 'resourceGroup'

@description('Where everything is.')
param location string = resourceGroup().location

@description('serverless: pay per request, up to 1 TB. autoscale: provisioned throughput that follows the load, a second region, zone redundancy.')
@allowed(['serverless', 'autoscale'])
param cosmosCapacity string = 'serverless'

@description('The most RU/s of each of the containers crm and deliveries with autoscale: 1000 or a multiple. It falls to a tenth of that when idle.')
@minValue(1000)
param cosmosMaxThroughput int = 4000

@description('A second region that data is replicated to; empty for none. Needs autoscale.')
param secondaryLocation string = ''

@description('The most instances of each function app.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 40

@description('Instances of the API that are never scaled away: 0 pays for requests only and starts cold after a pause.')
@minValue(0)
param alwaysReadyInstances int = 0

@description('storage: durable state in the storage account. scheduler: Durable Task Scheduler, pay per action.')
@allowed(['storage', 'scheduler'])
param durableBackend string = 'storage'

@description('Reaches Cosmos DB, storage and the vault by private endpoints; the public endpoints of Cosmos DB and storage are closed.')
param privateEndpoints bool = false

@description('Webhooks leave from one public address that receivers can allow: a NAT gateway.')
param fixedWebhookAddress bool = false

@description('The image of the search server.')
param searchImage string = 'getmeili/meilisearch:v1.21'

@description('Who gets alerts; empty for nobody.')
param alertEmail string = ''

@description('Days that logs and metrics are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

var suffix = uniqueString(resourceGroup().id)

resource vault 'Microsoft.KeyVault/vaults@2026-05-15' existing = {
  name: 'kv-${suffix}'
}

resource apiIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-api-${suffix}'
  location: location
}

resource webhooksIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-webhooks-${suffix}'
  location: location
}

resource searchIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-search-${suffix}'
  location: location
}

module monitoring 'monitoring.bicep' = {
  params: {
    location: location
    suffix: suffix
    retentionDays: logRetentionDays
    senders: [apiIdentity.properties.principalId, webhooksIdentity.properties.principalId]
  }
}

module network 'network.bicep' = {
  params: {
    location: location
    suffix: suffix
    fixedWebhookAddress: fixedWebhookAddress
  }
}

module storage 'storage.bicep' = {
  params: {
    location: location
    suffix: suffix
    #disable-next-line what-if-short-circuiting // a role assignment is named after its principal
    apiPrincipalId: apiIdentity.properties.principalId
    #disable-next-line what-if-short-circuiting // a role assignment is named after its principal
    webhooksPrincipalId: webhooksIdentity.properties.principalId
    isPublic: !privateEndpoints
  }
}

module cosmos 'cosmos.bicep' = {
  params: {
    location: location
    secondaryLocation: secondaryLocation
    suffix: suffix
    capacity: cosmosCapacity
    maxThroughput: cosmosMaxThroughput
    apiPrincipalId: apiIdentity.properties.principalId
    webhooksPrincipalId: webhooksIdentity.properties.principalId
    isPublic: !privateEndpoints
  }
}

module secrets 'secretReaders.bicep' = {
  params: {
    vaultName: vault.name
    #disable-next-line what-if-short-circuiting // a role assignment is named after its principal
    apiPrincipalId: apiIdentity.properties.principalId
    webhooksPrincipalId: webhooksIdentity.properties.principalId
    searchPrincipalId: searchIdentity.properties.principalId
  }
}

module search 'search.bicep' = {
  params: {
    location: location
    suffix: suffix
    image: searchImage
    subnetId: network.outputs.searchSubnetId
    networkId: network.outputs.networkId
    identityId: searchIdentity.id
    keyUri: '${vault.properties.vaultUri}secrets/search-key'
    workspaceId: monitoring.outputs.workspaceId
  }
  dependsOn: [secrets]
}

module scheduler 'scheduler.bicep' = if (durableBackend == 'scheduler') {
  params: {
    location: location
    suffix: suffix
    #disable-next-line what-if-short-circuiting // a role assignment is named after its principal
    workerPrincipalId: webhooksIdentity.properties.principalId
  }
}

module endpoints 'privateEndpoints.bicep' = if (privateEndpoints) {
  params: {
    location: location
    networkId: network.outputs.networkId
    subnetId: network.outputs.endpointsSubnetId
    cosmosId: cosmos.outputs.accountId
    storageId: storage.outputs.accountId
    vaultId: vault.id
  }
}

// What both apps are told. Names stand in local.settings.sample.json as well, with what each of them is.
var commonSettings = {
  COSMOS__accountEndpoint: cosmos.outputs.endpoint
  COSMOS__credential: 'managedidentity'
  COSMOS_DATABASE: cosmos.outputs.databaseName
  JOBS__queueServiceUri: storage.outputs.queueEndpoint
  JOBS__credential: 'managedidentity'
  SEARCH_URL: search.outputs.url
  SEARCH_KEY: '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/search-key)'
  SEALING_KEY: '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/sealing-key)'
}

module api 'functionApp.bicep' = {
  params: {
    location: location
    name: 'func-api-${suffix}'
    service: 'api'
    identityId: apiIdentity.id
    identityClientId: apiIdentity.properties.clientId
    subnetId: network.outputs.apiSubnetId
    storageAccountName: storage.outputs.accountName
    deploymentContainer: storage.outputs.apiContainer
    insightsConnectionString: monitoring.outputs.connectionString
    maximumInstances: maximumInstances
    alwaysReady: alwaysReadyInstances == 0 ? [] : [{ name: 'http', instanceCount: alwaysReadyInstances }]
    settings: union(commonSettings, {
      COSMOS__clientId: apiIdentity.properties.clientId
      JOBS__clientId: apiIdentity.properties.clientId
      NODESTASH_OPERATOR_SECRET: '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/operator-secret)'
    })
  }
  dependsOn: [secrets]
}

// Where durable state lives is said over host.json, which names the storage account; with the storage account nothing has to be said.
var schedulerSettings = {
  DURABLE_TASK_SCHEDULER: 'Endpoint=${scheduler!.outputs.endpoint};Authentication=ManagedIdentity;ClientID=${webhooksIdentity.properties.clientId}'
  AzureFunctionsJobHost__extensions__durableTask__hubName: scheduler!.outputs.hubName
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER'
}

module webhooks 'functionApp.bicep' = {
  params: {
    location: location
    name: 'func-webhooks-${suffix}'
    service: 'webhooks'
    identityId: webhooksIdentity.id
    identityClientId: webhooksIdentity.properties.clientId
    subnetId: network.outputs.webhooksSubnetId
    storageAccountName: storage.outputs.accountName
    deploymentContainer: storage.outputs.webhooksContainer
    insightsConnectionString: monitoring.outputs.connectionString
    maximumInstances: maximumInstances
    alwaysReady: []
    settings: union(
      commonSettings,
      {
        COSMOS__clientId: webhooksIdentity.properties.clientId
        JOBS__clientId: webhooksIdentity.properties.clientId
      },
      durableBackend == 'scheduler' ? schedulerSettings : {}
    )
  }
  dependsOn: [secrets]
}

module alerts 'alerts.bicep' = if (!empty(alertEmail)) {
  params: {
    location: location
    email: alertEmail
    insightsId: monitoring.outputs.insightsId
    cosmosId: cosmos.outputs.accountId
  }
}

@description('The address of the API.')
output apiUrl string = 'https://${api.outputs.hostName}'

@description('The function app that the API is published to.')
output apiAppName string = api.outputs.name

@description('The function app that the webhooks are published to.')
output webhooksAppName string = webhooks.outputs.name

@description('The address of the Cosmos DB account.')
output cosmosEndpoint string = cosmos.outputs.endpoint

@description('The address that webhooks come from; empty without fixedWebhookAddress.')
output webhookAddress string = network.outputs.webhookAddress
