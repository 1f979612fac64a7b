using System.Text.Json;
using System.Text.RegularExpressions;

namespace NodeStash.Infrastructure.Tests;

/// <summary>The compiler accepts infra/bicep without an error or a warning, by every rule of its linter.</summary>
public sealed partial class CompilerTests
{
    private const string Main = "main.bicep", Vault = "vault.bicep";

    [Theory]
    [InlineData("*.bicep")]
    [InlineData("*.bicepparam")]
    public async Task Every_file_passes_every_rule_of_the_linter(string pattern)
    {
        Assert.NotEmpty(Files(pattern));
        await Bicep.Run("lint", "--pattern", pattern);
    }

    [Theory]
    [InlineData(Main)]
    [InlineData(Vault)]
    public async Task A_template_compiles(string template) => await Bicep.Build(template);

    [Theory]
    [InlineData("dev.bicepparam")]
    [InlineData("prod.bicepparam")]
    public async Task A_parameter_file_compiles_and_takes_the_address_for_alerts(string file)
    {
        var built = JsonElement.Parse(await Bicep.Run("build-params", file, "--stdout"));

        var parameters = JsonElement.Parse(built.GetProperty("parametersJson").GetString()!).GetProperty("parameters");
        Assert.Equal(Deployment.AlertEmail, parameters.GetProperty("alertEmail").GetProperty("value").GetString());
    }

    /// <summary>The compiler doesn't read this file: the Azure Developer CLI puts environment variables into it.</summary>
    [Fact]
    public async Task Parameters_for_azd_fit_the_template()
    {
        var declared = (await Bicep.Build(Main)).GetProperty("parameters");
        var given = JsonElement.Parse(await File.ReadAllBytesAsync(Path.Combine(Bicep.Folder, "main.parameters.json"))).GetProperty("parameters");
        var required = declared.EnumerateObject().Where(parameter => !parameter.Value.TryGetProperty("defaultValue", out _));

        Assert.DoesNotContain(required, parameter => !given.TryGetProperty(parameter.Name, out _));
        Assert.All(given.EnumerateObject(), parameter =>
        {
            Assert.True(declared.TryGetProperty(parameter.Name, out var declaration), $"main.bicep has no parameter {parameter.Name}");
            if (!declaration.TryGetProperty("allowedValues", out var allowed)) return;
            var value = Default().Match(parameter.Value.GetProperty("value").GetString()!).Groups[1].Value;
            Assert.Contains(value, allowed.EnumerateArray().Select(each => each.GetString()));
        });
    }

    [Theory]
    [InlineData(Main)]
    [InlineData(Vault)]
    public async Task Parameters_and_outputs_of_a_template_are_described(string template)
    {
        var built = await Bicep.Build(template);
        var declared = built.GetProperty("parameters").EnumerateObject().Concat(built.GetProperty("outputs").EnumerateObject());

        Assert.DoesNotContain(declared, each => !each.Value.TryGetProperty("metadata", out var metadata) || !metadata.TryGetProperty("description", out _));
    }

    [Fact]
    public void The_configuration_has_every_rule_of_the_compiler() =>
        Assert.Equal(LinterRules.Read(Bicep.Program), ConfiguredRules().EnumerateObject().Select(rule => rule.Name).Order(StringComparer.Ordinal));

    [Fact]
    public void A_rule_that_is_not_an_error_has_its_reason_above_it()
    {
        var lines = File.ReadAllLines(Configuration);
        var lowered = ConfiguredRules().EnumerateObject().Where(rule => !rule.Value.GetProperty("level").ValueEquals("error")).Select(rule => rule.Name);

        Assert.All(lowered, rule =>
        {
            var at = Array.FindIndex(lines, line => line.Contains($"\"{rule}\"", StringComparison.Ordinal));
            Assert.StartsWith("//", lines[at - 1].TrimStart(), StringComparison.Ordinal);
        });
    }

    [Fact]
    public void A_diagnostic_that_is_switched_off_in_a_file_has_its_reason_there()
    {
        var switchedOff =
            from file in Files("*.bicep")
            let lines = File.ReadAllLines(Path.Combine(Bicep.Folder, file))
            from at in Enumerable.Range(0, lines.Length)
            where lines[at].Contains("#disable", StringComparison.Ordinal)
            select (Where: $"{file}({at + 1})", Text: lines[at] + lines[at - 1]);

        Assert.NotEmpty(switchedOff);
        Assert.All(switchedOff, line => Assert.True(line.Text.Contains("// ", StringComparison.Ordinal), $"{line.Where} gives no reason"));
    }

    private static string Configuration => Path.Combine(Bicep.Folder, "bicepconfig.json");

    private static IEnumerable<string> Files(string pattern) =>
        Directory.EnumerateFiles(Bicep.Folder, pattern).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal);

    private static JsonElement ConfiguredRules()
    {
        using var configuration = JsonDocument.Parse(File.ReadAllBytes(Configuration), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
        return configuration.RootElement.GetProperty("analyzers").GetProperty("core").GetProperty("rules").Clone();
    }

    [GeneratedRegex(@"^\$\{\w+=(.*)\}$")]
    private static partial Regex Default();
}
