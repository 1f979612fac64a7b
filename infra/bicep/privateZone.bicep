// All names below a domain lead to one address, in the network alone.
param name string
param networkId string

@description('The address they lead to.')
param address string

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: name
  location: 'global'

  resource link 'virtualNetworkLinks' = {
    name: 'network'
    location: 'global'
    properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
  }

  resource everything 'A' = {
    name: '*'
    properties: { ttl: 3600, aRecords: [{ ipv4Address: address }] }
  }
}
