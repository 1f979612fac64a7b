using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using NodeStash.Azure.Cosmos;
using NodeStash.Core.Jobs;
using NodeStash.Core.Resources;
using NodeStash.Core.Telemetry;

namespace NodeStash.Infrastructure.Tests;

/// <summary>A deployment has the names that the code uses, and lets nobody else in.</summary>
public sealed partial class DeploymentTests
{
    private const string Accounts = "Microsoft.DocumentDB/databaseAccounts", Containers = $"{Accounts}/sqlDatabases/containers";
    private const string StorageAccounts = "Microsoft.Storage/storageAccounts", AppSettings = "Microsoft.Web/sites/config";

    public static TheoryData<string> ParameterFiles => ["dev", "prod"];

    [Theory]
    [MemberData(nameof(ParameterFiles))]
    public async Task Containers_have_the_code_s_names_keys_and_lifetimes(string parameters)
    {
        var deployed =
            from container in (await Deployment.With(parameters)).All(Containers)
            let key = container["resource", "partitionKey", "paths"][0].GetString()
            let lifetime = container["resource"].TryGetProperty("defaultTtl", out var seconds) ? seconds.GetInt32() : (int?)null
            select (container.Name, Id: container["resource", "id"].GetString(), key, lifetime);

        Assert.Equal(Known().Select(known => (known.Id, known.Id, known.PartitionKeyPath, known.DefaultTimeToLive)), deployed);
    }

    [Theory]
    [InlineData(CosmosContainers.Crm)]
    [InlineData(CosmosContainers.Deliveries)]
    [InlineData(CosmosContainers.Access)]
    public async Task A_container_is_indexed_as_the_code_says(string container)
    {
        var policy = Newtonsoft.Json.JsonConvert.SerializeObject(Known().Single(known => known.Id == container).IndexingPolicy);
        var deployed = (await Deployment.With("dev")).All(Containers).Single(resource => resource.Name == container)["resource", "indexingPolicy"];

        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(policy), deployed), deployed.ToString());
    }

    [Fact]
    public async Task The_stored_procedure_is_the_code_s()
    {
        var procedure = Assert.Single((await Deployment.With("dev")).All($"{Containers}/storedProcedures"));

        Assert.EndsWith($"/{CosmosContainers.Crm}/{CommitProcedure.Id}", procedure.FullName, StringComparison.Ordinal);
        Assert.Equal(CommitProcedure.Id, procedure["resource", "id"].GetString());
        Assert.Equal(CommitProcedure.Body, procedure["resource", "body"].GetString());
    }

    [Fact]
    public async Task Queues_are_those_of_the_code_each_with_two_for_what_fails() =>
        Assert.Equal(
            [.. JobQueue.All, .. JobQueue.All.Select(queue => queue + JobQueue.PoisonSuffix), .. JobQueue.All.Select(queue => queue + JobQueue.GivenUpSuffix)],
            (await Deployment.With("dev")).All($"{StorageAccounts}/queueServices/queues").Select(queue => queue.Name));

    [Theory]
    [MemberData(nameof(ParameterFiles))]
    public async Task The_apps_are_told_settings_that_the_sample_explains(string parameters)
    {
        var sample = await File.ReadAllTextAsync(Bicep.In("local.settings.sample.json"));
        var told = (await Deployment.With(parameters)).All(AppSettings).SelectMany(app => app.Properties.EnumerateObject()).Select(setting => setting.Name);

        Assert.DoesNotContain(told, name => !Regex.IsMatch(sample, $@"\b{name}\b"));
    }

    [Fact]
    public async Task Alerts_are_on_metrics_there_are()
    {
        var metrics = typeof(Instruments).GetFields(BindingFlags.Static | BindingFlags.Public)
            .Select(field => field.GetValue(null)).OfType<Instrument>().Select(instrument => instrument.Name).ToList();
        var queries = (await Deployment.With("dev")).All("Microsoft.Insights/scheduledQueryRules")
            .Select(Query).ToList();
        var used = queries.SelectMany(query => Metric().Matches(query)).Select(metric => metric.Value).ToList();

        Assert.NotEmpty(used);
        Assert.DoesNotContain(used, name => !metrics.Contains(name));
    }

    [Fact]
    public async Task An_alert_is_raised_as_soon_as_a_job_is_given_up()
    {
        var alert = Assert.Single((await Deployment.With("dev")).All("Microsoft.Insights/scheduledQueryRules"),
            rule => Query(rule).Contains($"\"{Instruments.JobsGivenUp.Name}\"", StringComparison.Ordinal));

        Assert.Equal("PT5M", alert["evaluationFrequency"].GetString());
        Assert.Equal(0, alert["criteria", "allOf"][0].GetProperty("threshold").GetInt32());
    }

    [Theory]
    [MemberData(nameof(ParameterFiles))]
    public async Task No_store_takes_a_key(string parameters)
    {
        var deployment = await Deployment.With(parameters);

        Assert.All(deployment.All(StorageAccounts), account => Assert.False(account["allowSharedKeyAccess"].GetBoolean()));
        Assert.All(deployment.All(Accounts), account => Assert.True(account["disableLocalAuth"].GetBoolean()));
        Assert.All(deployment.All("Microsoft.Insights/components"), insights => Assert.True(insights["DisableLocalAuth"].GetBoolean()));
    }

    [Theory]
    [InlineData("dev", "Enabled", "Allow")]
    [InlineData("prod", "Disabled", "Deny")]
    public async Task Public_addresses_of_stores_are_closed_in_production(string parameters, string access, string others)
    {
        var deployment = await Deployment.With(parameters);
        var database = Assert.Single(deployment.All(Accounts));
        var storage = deployment.All(StorageAccounts);

        Assert.Equal([access, access], new[] { database, storage[0] }.Select(store => store["publicNetworkAccess"].GetString()));
        // The second one is the search server's: only its subnet gets in, everywhere.
        Assert.Equal([others, "Deny"], storage.Select(account => account["networkAcls", "defaultAction"].GetString()));
    }

    [Theory]
    [MemberData(nameof(ParameterFiles))]
    public async Task An_identity_reads_the_secrets_that_its_app_uses_and_no_other(string parameters)
    {
        var deployment = await Deployment.With(parameters);
        var uses =
            from app in deployment.All(AppSettings, "Microsoft.App/containerApps")
            from Match secret in Secret().Matches(app.Properties.ToString())
            select $"{App().Match(app.FullName).Value} reads {secret.Groups[1].Value}";
        var rights =
            from assignment in deployment.All("Microsoft.Authorization/roleAssignments")
            let secret = Secret().Match(assignment.Id)
            where secret.Success
            select $"{App().Match(assignment["principalId"].GetString()!).Value} reads {secret.Groups[1].Value}";

        string[] expected =
        [
            "api reads operator-secret", "api reads sealing-key", "api reads search-key", "search reads search-key",
            "webhooks reads sealing-key", "webhooks reads search-key",
        ];
        Assert.Equal(expected, uses.Order(StringComparer.Ordinal));
        Assert.Equal(expected, rights.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_script_makes_the_secrets_that_are_used()
    {
        var script = await File.ReadAllTextAsync(Bicep.In("infra/secrets.sh"));
        var made = Regex.Match(script, "^for name in (.*); do$", RegexOptions.Multiline).Groups[1].Value.Split(' ');
        var used = (await Deployment.With("dev")).All(AppSettings).SelectMany(app => Secret().Matches(app.Properties.ToString()));

        Assert.Equal(made.Order(StringComparer.Ordinal), used.Select(secret => secret.Groups[1].Value).Distinct().Order(StringComparer.Ordinal));
    }

    /// <summary>Versions of the network's API differ in what they do where nothing is said.</summary>
    [Theory]
    [MemberData(nameof(ParameterFiles))]
    public async Task Subnets_that_programs_run_in_reach_the_internet(string parameters)
    {
        var reaching =
            from subnet in Assert.Single((await Deployment.With(parameters)).All("Microsoft.Network/virtualNetworks"))["subnets"].EnumerateArray()
            where subnet.GetProperty("properties").TryGetProperty("defaultOutboundAccess", out var access) && access.GetBoolean()
            select subnet.GetProperty("name").GetString();

        Assert.Equal(["api", "webhooks", "search"], reaching);
    }

    private static string Query(Resource alert) => alert["criteria", "allOf"][0].GetProperty("query").GetString()!;

    private static IReadOnlyList<Microsoft.Azure.Cosmos.ContainerProperties> Known() => CosmosContainers.All(Crm.Catalog.Indexes);

    [GeneratedRegex(@"nodestash(\.\w+)+\b")]
    private static partial Regex Metric();

    [GeneratedRegex(@"\bsecrets/([a-z-]+)")]
    private static partial Regex Secret();

    /// <summary>The app that a resource or its identity is named after.</summary>
    [GeneratedRegex(@"(?<=\b(id|func)-)(api|webhooks|search)(?=-)|^search$")]
    private static partial Regex App();
}
