// One network. It costs nothing by itself; the search server is reached through it and nowhere else.
param location string
param suffix string

@description('Whether webhooks leave from one public address.')
param fixedWebhookAddress bool

var appDelegation = [{ name: 'app', properties: { serviceName: 'Microsoft.App/environments' } }]

resource address 'Microsoft.Network/publicIPAddresses@2026-03-01' = if (fixedWebhookAddress) {
  name: 'pip-webhooks-${suffix}'
  location: location
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource gateway 'Microsoft.Network/natGateways@2026-03-01' = if (fixedWebhookAddress) {
  name: 'ng-webhooks-${suffix}'
  location: location
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: address.id }] }
}

resource network 'Microsoft.Network/virtualNetworks@2026-03-01' = {
  name: 'vnet-${suffix}'
  location: location
  properties: {
    addressSpace: { addressPrefixes: ['10.20.0.0/16'] }
    // Outbound access is stated: since API version 2025-07-01 a new network has none by default.
    subnets: [
      {
        name: 'api'
        properties: {
          addressPrefix: '10.20.0.0/24'
          delegations: appDelegation
          defaultOutboundAccess: true
        }
      }
      {
        name: 'webhooks'
        properties: {
          addressPrefix: '10.20.1.0/24'
          delegations: appDelegation
          defaultOutboundAccess: true
          natGateway: fixedWebhookAddress ? { id: gateway.id } : null
        }
      }
      {
        name: 'search'
        properties: {
          addressPrefix: '10.20.2.0/24'
          delegations: appDelegation
          defaultOutboundAccess: true
          serviceEndpoints: [{ service: 'Microsoft.Storage' }]
        }
      }
      { name: 'endpoints', properties: { addressPrefix: '10.20.3.0/26' } }
    ]
  }

  resource api 'subnets' existing = { name: 'api' }
  resource webhooks 'subnets' existing = { name: 'webhooks' }
  resource search 'subnets' existing = { name: 'search' }
  resource endpoints 'subnets' existing = { name: 'endpoints' }
}

output networkId string = network.id
output apiSubnetId string = network::api.id
output webhooksSubnetId string = network::webhooks.id
output searchSubnetId string = network::search.id
output endpointsSubnetId string = network::endpoints.id
output webhookAddress string = fixedWebhookAddress ? address!.properties.ipAddress : ''
