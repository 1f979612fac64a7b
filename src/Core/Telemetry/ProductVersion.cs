using System.Reflection;

namespace NodeStash.Core.Telemetry;

/// <summary>Provides the version of the product, which the build takes from the git tag.</summary>
public static class ProductVersion
{
    /// <summary>The version of the package, then <c>+</c> and the commit if the build knew it.</summary>
    public static string Text { get; } = typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
